"""The OpenAPI 3.1 document of the API, written by hand; a test holds it against what the routes do."""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]

_STRING: Schema = {"type": "string"}
_INTEGER: Schema = {"type": "integer"}
_BOOLEAN: Schema = {"type": "boolean"}
_DIGITS: Schema = {"type": "string", "pattern": "^[0-9]{14}$", "description": "YYYYMMDDhhmmss in UTC"}
_TIME: Schema = {
    "type": "string",
    "maxLength": 40,
    "description": "1 to 14 digits (YYYYMMDDhhmmss, UTC) or an ISO 8601 date or time",
    "examples": ["20261121", "2026-11-21T22:00:00+01:00"],
}
_URL: Schema = {
    "type": "string",
    "minLength": 1,
    "maxLength": 8000,
    "pattern": "^[!-~]*$",
    "description": "An http or https URL; other characters are understood too, in a request of at most 32 KB",
    "examples": ["https://www.example.org/a"],
}


def document(server: str) -> Schema:
    """Return the document; `server` is the address of the app."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Newskeep",
            "version": "1",
            "description": "An archive of news. `next` of a list is the address of the next page.",
        },
        "servers": [{"url": server}],
        "paths": {path: {"get": operation} for path, operation in _operations().items()} | _saving(),
        "components": {
            "schemas": _SCHEMAS,
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer"},
                "user": {"type": "http", "scheme": "basic"},
            },
        },
        "security": [{}, {"token": []}, {"user": []}],
    }


def _operations() -> dict[str, Schema]:
    url, at = _parameter("url", _URL, required=True), _parameter("at", _TIME, "The one nearest to this time; newest.")
    period = [_parameter("from", _TIME, "Not older than this."), _parameter("to", _TIME, "Not newer than this.")]
    limit = _parameter("limit", {"type": "integer", "minimum": 1, "maximum": 500, "default": 50}, "Items of a page.")
    place = {"type": "string", "maxLength": 12_000, "pattern": "^[A-Za-z0-9_=-]*$"}
    behind = _parameter("after", place, "As in `next` of the page before.")
    after = _parameter("after", _text(100), "As in `next` of the page before.")
    match = _parameter("match", {"type": "string", "enum": ["exact", "prefix", "host", "domain"], "default": "exact"})
    site = _parameter("site", _text(300), "Host without www.")
    language = _parameter("language", _text(35), "BCP 47, with its regions.")
    tag = _parameter("tag", _text(300), "Only what has this tag.")
    told = "Whole words of one name, in order; case and accents aside."
    by, author = (
        _parameter("author", _text(200), each) for each in (told, f"{told} Pages may be short, `next` goes on.")
    )
    number = _parameter("after", {"type": "integer", "minimum": 0, "maximum": 10**12 - 1}, "As in `next` before.")
    query = 'All must occur; "in this order", one OR other, -not, begin*, (…), author:, site:, language:, tag:.'
    words = _parameter("q", _text(1_000, 1), query, required=True)
    order = _parameter("order", {"enum": ["date", "relevance"], "default": "date"}, "Newest first, or best (400).")
    return {
        "/api/counts": _operation("What the archive holds.", "Counts", [], ()),
        "/api/captures": _operation(
            "Captures by URL and time.", "Captures", [url, match, tag, *period, limit, behind], (400,)
        ),
        "/api/articles": _operation(
            "Articles, newest capture first.", "Articles", [site, language, author, tag, *period, limit, after], (400,)
        ),
        "/api/article": _operation("One article with its blocks.", "Article", [url, at], (400, 404, 451)),
        "/api/versions": _operation("States of an article, oldest first.", "Versions", [url], (400, 404)),
        "/api/sites": _operation(
            "Sites that articles are held of.", "Sites", [limit, _parameter("after", _text(300), "A site.")], (400,)
        ),
        "/api/search": _operation(
            "Articles with these words, one a URL.",
            "Hits",
            [words, order, site, language, by, tag, *period, limit, number],
            (400,),
        ),
        "/api/tags": _operation("Tags and collections, by name.", "Tags", [], ()),
        "/api/verify": _operation("Check one capture, now.", "Verification", [url, at], (400, 404)),
    }


def _saving() -> dict[str, Schema]:
    """The operations that have pages saved, and that tell what has become of them."""
    again = "The same for a publisher's CMS: what it has just put out goes before all else."
    body = {"required": True, "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Wanted"}}}}
    write = {
        "202": _content("A job that does it.", "Job"),
        "400": _content("What was sent is no list of addresses.", "Error"),
        "401": _UNKNOWN,
        "403": _content("Nothing is saved here, or a page of another site asked.", "Error"),
        "413": _content("Too many bytes.", "Error"),
        "415": _content("Not sent as application/json.", "Error"),
        "429": _content("Asked too often, or too much is waiting: Retry-After.", "Error"),
        "503": _content("Out of reach.", "Error"),
    }
    asked = {"name": "job", "in": "path", "required": True, "schema": {"type": "string"}, "description": "Its id."}
    limit = _parameter("limit", {"type": "integer", "minimum": 1, "maximum": 100, "default": 20}, "Jobs of the list.")
    return {
        "/api/save": {
            "post": {
                "summary": "Have pages saved now.",
                "operationId": "postSave",
                "requestBody": body,
                "responses": write,
            }
        },
        "/api/published": {
            "post": {"summary": again, "operationId": "postPublished", "requestBody": body, "responses": write}
        },
        "/api/jobs": {"get": _operation("Jobs, those that were submitted last first.", "Jobs", [limit], (400,))},
        "/api/jobs/{job}": {"get": _operation("What has become of a job.", "Job", [asked], (404,))},
    }


def _operation(summary: str, schema: str, parameters: list[Schema], errors: tuple[int, ...]) -> Schema:
    responses = {"200": _content("As asked.", schema)}
    told = {
        400: "A parameter is wrong.",
        404: "Not in the archive.",
        451: "Says noarchive, or is past its unavailable_after, and is withheld.",
        503: "Out of reach.",
    }
    responses |= {str(status): _content(told[status], "Error") for status in (*errors, 503)}
    responses["401"] = _UNKNOWN
    return {
        "summary": summary,
        "operationId": f"get{schema}{len(parameters)}",
        "parameters": parameters,
        "responses": responses,
    }


def _parameter(name: str, schema: Schema, text: str = "", *, required: bool = False) -> Schema:
    return {"name": name, "in": "query", "required": required, "schema": schema, "description": text}


def _content(text: str, schema: str) -> Schema:
    return {
        "description": text,
        "content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}},
    }


def _text(most: int, least: int = 0) -> Schema:
    # A form sends its empty fields too; they count as absent.
    return {"type": "string", "minLength": least, "maxLength": most}


def _or_null(schema: Schema) -> Schema:
    return {**schema, "type": [schema["type"], "null"]}


def _object(properties: dict[str, Schema], optional: dict[str, Schema] | None = None) -> Schema:
    return {"type": "object", "required": list(properties), "properties": properties | (optional or {})}


def _list(schema: Schema | str) -> Schema:
    return {"type": "array", "items": {"$ref": f"#/components/schemas/{schema}"} if isinstance(schema, str) else schema}


def _page(name: str, schema: str) -> Schema:
    return _object({name: _list(schema), "next": _or_null(_STRING)})


_UNKNOWN: Schema = {"description": "A token or a name and password is needed."}
_TEXT_OR_NULL = _or_null(_STRING)
_MARK: Schema = {"type": "array", "items": _INTEGER, "minItems": 2, "maxItems": 2}
_CONFIDENCE: Schema = {
    "type": ["number", "null"],
    "minimum": 0,
    "maximum": 1,
    "description": "How likely the text is right as a whole; null where nobody said.",
}
_SCHEMAS: dict[str, Schema] = {
    "Error": _object({"message": _STRING, "status": _INTEGER}),
    "Counts": _object(dict.fromkeys(("warcs", "bytes", "captures", "articles"), _INTEGER)),
    "Capture": _object(
        {
            "url": _STRING,
            "timestamp": _DIGITS,
            "status": _or_null(_INTEGER),
            "mime": _TEXT_OR_NULL,
            "wall": _TEXT_OR_NULL,
            "digest": _TEXT_OR_NULL,
            "filename": _STRING,
            "offset": _INTEGER,
            "length": _INTEGER,
            "insecure": _TEXT_OR_NULL,
            "noarchive": _BOOLEAN,
            "rights": _list("Signal"),
            "links": _object({"memento": _STRING, "original": _STRING}),
        }
    ),
    "Captures": _page("captures", "Capture"),
    "Signal": _object({"name": _STRING, "value": _TEXT_OR_NULL, "source": _STRING}),
    "Entry": _object(
        {
            "url": _STRING,
            "timestamp": _DIGITS,
            "site": _STRING,
            "title": _TEXT_OR_NULL,
            "published": _TEXT_OR_NULL,
            "language": _TEXT_OR_NULL,
            "words": _INTEGER,
            "noarchive": _BOOLEAN,
            "rights": _list("Signal"),
            "confidence": _CONFIDENCE,
            "links": _object({"article": _STRING, "page": _STRING}),
        }
    ),
    "Articles": _page("articles", "Entry"),
    "Hit": {
        "allOf": [
            {"$ref": "#/components/schemas/Entry"},
            _object(
                {
                    "authors": _list(_STRING),
                    "snippet": _STRING,
                    "marks": _list(_MARK),
                    "title_marks": _list(_MARK),
                }
            ),
        ]
    },
    "Hits": _object(
        {
            "articles": _list("Hit"),
            "total": _INTEGER,
            "total_is_exact": {**_BOOLEAN, "description": "Else there are more than `total`."},
            "next": _or_null(_STRING),
        }
    ),
    "Block": _object(
        {
            "kind": _STRING,
            "text": _STRING,
            "kept": _BOOLEAN,
            "reason": _STRING,
        },
        {"detail": _STRING, "probability": {"type": "number"}},
    ),
    "Article": _object(
        {
            "url": _STRING,
            "canonical_url": _TEXT_OR_NULL,
            "timestamp": _DIGITS,
            "title": _TEXT_OR_NULL,
            "authors": _list(_STRING),
            "published": _TEXT_OR_NULL,
            "modified": _TEXT_OR_NULL,
            "language": _TEXT_OR_NULL,
            "section": _TEXT_OR_NULL,
            "topics": _list(_STRING),
            "image": _TEXT_OR_NULL,
            "description": _TEXT_OR_NULL,
            "text": _STRING,
            "words": _INTEGER,
            "removed": _list(_object({"text": _STRING, "reason": _STRING})),
            "warc": _object(
                {
                    "filename": _STRING,
                    "offset": _INTEGER,
                    "length": _INTEGER,
                    "digest": _TEXT_OR_NULL,
                    "insecure": _TEXT_OR_NULL,
                }
            ),
            "paywalled": {"type": ["boolean", "null"]},
            "noarchive": _BOOLEAN,
            "rights": _list("Signal"),
            "confidence": _CONFIDENCE,
            "blocks": _list("Block"),
        },
        {"tags": _list(_STRING), "notes": _list(_object({"text": _STRING, "by": _STRING, "moment": _STRING}))},
    ),
    "Version": _object(
        {
            "url": _STRING,
            "timestamp": _DIGITS,
            "last": _DIGITS,
            "captures": _INTEGER,
            "title": _TEXT_OR_NULL,
            "words": _INTEGER,
            "removals": _list(_object({"timestamp": _DIGITS, "status": _INTEGER, "until": _or_null(_DIGITS)})),
        }
    ),
    "Wanted": {
        **_object({}, {"url": _URL, "urls": {**_list(_URL), "minItems": 1, "maxItems": 100}}),
        "additionalProperties": False,
        "oneOf": [{"required": ["url"]}, {"required": ["urls"]}],
    },
    "Outcome": _object(
        {
            "url": _STRING,
            "outcome": {"type": "string", "enum": ["archived", "unchanged", "held", "refused", "failed"]},
            "reason": _TEXT_OR_NULL,
            "status": _or_null(_INTEGER),
            "final_url": _TEXT_OR_NULL,
            "timestamp": _or_null(_DIGITS),
            "title": _TEXT_OR_NULL,
            "words": _or_null(_INTEGER),
            "noarchive": _TEXT_OR_NULL,
            "mime": _TEXT_OR_NULL,
            "size": _or_null(_INTEGER),
        }
    ),
    "Job": _object(
        {
            "id": _STRING,
            "state": {"type": "string", "enum": ["waiting", "running", "done", "failed"]},
            "asked_by": _STRING,
            "submitted": _STRING,
            "started": _TEXT_OR_NULL,
            "finished": _TEXT_OR_NULL,
            "urls": _list(_STRING),
            "outcomes": _list("Outcome"),
            "error": _TEXT_OR_NULL,
            "links": _object({"job": _STRING, "page": _STRING}),
        }
    ),
    "Jobs": _object({"jobs": _list("Job")}),
    "Versions": _object({"versions": _list("Version")}),
    "Site": _object({"site": _STRING, "links": _object({"articles": _STRING})}),
    "Sites": _page("sites", "Site"),
    "Tag": _object(
        {
            "tag": _STRING,
            "captures": _INTEGER,
            "addresses": _INTEGER,
            "articles": _INTEGER,
            "title": _TEXT_OR_NULL,
            "description": _TEXT_OR_NULL,
            "links": _object({"articles": _STRING}),
        }
    ),
    "Tags": _object({"tags": _list("Tag")}),
    "Verification": _object(
        {
            "sound": _BOOLEAN,
            "capture": {"$ref": "#/components/schemas/Capture"},
            "checks": _list(_object({"check": _STRING, "sound": _BOOLEAN, "problem": _TEXT_OR_NULL})),
        }
    ),
}
