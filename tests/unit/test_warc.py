from __future__ import annotations

import base64
import random
import zlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import pytest
from warcs import records_of

from storage.digests import digest
from storage.errors import Corrupt, SpoolError
from storage.model import Capture, Exchange
from storage.repair import cut_torn
from storage.warc import capture_of, key_of, make_stem, read_record, read_records
from storage.warc_writer import WarcWriter

STARTED = datetime(2026, 11, 21, 22, 1, 20, 112345, tzinfo=UTC)
EXCHANGE = Exchange(
    url="https://news.example/a?b=1",
    started=STARTED,
    request=b"GET /a?b=1 HTTP/1.1\r\nHost: news.example\r\n\r\n",
    response=b"HTTP/1.1 200 Fine\r\nX-\xe6: \xff\r\nx-a: 1\r\nContent-Type: text/html\r\n\r\n<p>Hello",
    interim=(b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n",),
    peer="192.0.2.7",
    protocols=("http/1.1", "tls/1.3"),
    cipher="TLS_AES_128_GCM_SHA256",
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "open"


@pytest.fixture
def writer(path: Path) -> Iterator[WarcWriter]:
    writer = WarcWriter(path, make_stem(STARTED, "c0ffee", 0) + ".warc.gz", {"software": "test"})
    yield writer
    writer.close()


def test_exchange_reads_back_identical_with_software_of_others(writer: WarcWriter, path: Path) -> None:
    writer.append(EXCHANGE)
    writer.close()
    found = {record.type: record for record in records_of(path)}
    assert found["response"].block == EXCHANGE.response
    assert found["request"].block == EXCHANGE.request
    assert found["metadata"].block == EXCHANGE.interim[0]
    response = found["response"]
    assert response["WARC-Date"] == "2026-11-21T22:01:20.112345Z"
    assert response.all("WARC-Protocol") == ["http/1.1", "tls/1.3"]
    assert response["WARC-Cipher-Suite"] == "TLS_AES_128_GCM_SHA256"
    assert response["WARC-IP-Address"] == "192.0.2.7"
    assert response["WARC-Payload-Digest"] == digest(b"<p>Hello")
    assert found["request"]["WARC-Concurrent-To"] == response["WARC-Record-ID"]


def test_capture_says_where_the_record_lies(writer: WarcWriter, path: Path) -> None:
    writer.append(EXCHANGE)
    capture = writer.append(replace(EXCHANGE, url="https://news.example/b"))
    assert capture is not None
    member = path.read_bytes()[capture.offset : capture.offset + capture.length]
    record = read_record(member)
    record.check()
    assert record.url == "https://news.example/b"
    assert capture_of(replace(record, offset=capture.offset, length=capture.length), writer.filename) == capture


def test_chunked_payload_digest_is_without_framing(writer: WarcWriter) -> None:
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
    capture = writer.append(replace(EXCHANGE, response=chunked))
    assert capture is not None
    assert capture.digest == digest(b"hello")
    assert capture.framed_digest == digest(b"5\r\nhello\r\n0\r\n\r\n")


def test_revisit_keeps_the_head_and_names_the_original(writer: WarcWriter, path: Path) -> None:
    original = Capture("https://news.example/a", STARTED, 200, "text/html", digest(b"<p>Hello"), "x.warc.gz", 7, 9)
    capture = writer.append(EXCHANGE, original)
    writer.close()
    (record,) = (record for record in records_of(path) if record.type == "revisit")
    assert record.block == EXCHANGE.response[: -len(b"<p>Hello")]
    assert record["WARC-Refers-To-Target-URI"] == original.url
    assert record["WARC-Refers-To-Date"] == "2026-11-21T22:01:20.112345Z"
    assert (record["WARC-Profile"] or "").endswith("/revisit/identical-payload-digest")
    assert capture is not None
    assert capture.is_revisit


def test_exchange_without_response_leaves_its_request(writer: WarcWriter, path: Path) -> None:
    assert writer.append(replace(EXCHANGE, response=b"", interim=())) is None
    writer.close()
    assert [record.type for record in records_of(path)] == ["warcinfo", "request"]


@pytest.mark.parametrize("response", [b"HTTP/1.1 200 OK\r\nConte", b"SSH-2.0-OpenSSH\r\n", b"\x00\xff"])
def test_what_is_no_whole_head_is_kept_too(writer: WarcWriter, path: Path, response: bytes) -> None:
    writer.append(replace(EXCHANGE, response=response, truncated="disconnect"))
    writer.close()
    (record,) = (record for record in records_of(path) if record.type == "response")
    assert record.block == response
    assert record["WARC-Truncated"] == "disconnect"
    assert record["WARC-Payload-Digest"] is None


def test_torn_end_is_cut_at_the_last_complete_record(writer: WarcWriter, path: Path) -> None:
    for number in range(8):
        writer.append(replace(EXCHANGE, url=f"https://news.example/{number}"))
    writer.close()
    whole = path.read_bytes()
    ends = [0] + [record.offset + record.length for record in records_of(path)]
    cuts = random.Random(7)
    for cut in [0, 1, len(whole) - 1, len(whole), *(cuts.randrange(len(whole)) for _ in range(40))]:
        path.write_bytes(whole[:cut])
        removed = cut_torn(path)
        end = max(end for end in ends if end <= cut)
        assert path.read_bytes() == whole[:end]
        assert removed == cut - end


def test_flipped_bit_is_found(writer: WarcWriter, path: Path) -> None:
    capture = writer.append(EXCHANGE)
    writer.close()
    assert capture is not None
    member = path.read_bytes()[capture.offset : capture.offset + capture.length]
    plain = bytearray(zlib.decompress(member, 31))
    plain[-8] ^= 1
    packer = zlib.compressobj(wbits=31)
    with pytest.raises(Corrupt, match="digest"):
        read_record(packer.compress(bytes(plain)) + packer.flush()).check()


def test_file_that_was_cut_is_noticed(writer: WarcWriter, path: Path) -> None:
    capture = writer.append(EXCHANGE)
    writer.close()
    assert capture is not None
    whole = path.read_bytes()
    path.write_bytes(whole[: capture.offset + capture.length - 20])
    with path.open("rb") as stream, pytest.raises(Corrupt):
        list(read_records(stream))


def test_a_record_whose_member_is_not_whole_is_never_given(writer: WarcWriter, path: Path) -> None:
    # What its deflate stream holds is whole before its CRC and length are there (RFC 1952, 2.3.1).
    writer.append(EXCHANGE)
    writer.close()
    whole = path.read_bytes()
    *before, last = [record.offset for record in records_of(path)]
    cut = [whole[:length] for length in range(last, len(whole))]
    harmed = [
        whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :] for place in range(len(whole) - 8, len(whole))
    ]
    for data in (*cut, *harmed):
        given = list[int]()
        with suppress(Corrupt):
            given.extend(record.offset for record in read_records(BytesIO(data)))
        assert last not in given
    assert [record.offset for record in read_records(BytesIO(whole))] == [*before, last]


@pytest.mark.parametrize("garbage", [b"this is not a WARC file at all\n" * 10, b"\x1f\x8b" + bytes(90), bytes(90)])
def test_garbage_is_no_warc(path: Path, garbage: bytes) -> None:
    path.write_bytes(garbage)
    with path.open("rb") as stream, pytest.raises(Corrupt):
        list(read_records(stream))


#: Two gzip members, a revisit and its request, of which the first has a bit that is not as it was: its stream unpacks
#: to a whole record, to lines that are none, and to no end. warcio says that the record is -1 bytes long.
NO_END = (
    r"ABzY8000000RNSe&5GMF6ovPJyn|mru`J2@>kqUuiw-R`1ebyCuB5BP)Ul1MOeSw%+&BcL-4tzvbnbU`j_&iP-9uSzs`YB#k>)a@EfT)8Q=6Bw"
    r"9r_^!^7Lqn_ovj`)2R&>ou|>EArLSU5r7kIOe74rcMt?>6F)A1XGp&7<M0Ln7=&=DB9zJ*!4z>$8v@7z^Tunb_zm$08EwHRlZ0|YtA;8|xutZ&"
    r"YDy{nx#${5d(7m=?#UL1oX5$Q<@tQxj4)!_;42)*4okkMw`quNhgYdB%O3NXaKiM0n<4GXGbBHUQ!as&ZNNUa9y&6@r5hlS(C%@%ClxVGq#4Nn"
    r"y<>;By1#wOfBM`m?H~WNx5ab-R!bX#p<XHu#(P0U;3|TQA!1b{bILm<P*%dZ;IWFjW~P!NNF9~Y5t(0neC`JSi@afb<eH&((IXcIp+@aE(x~cC"
    r"0n><pQK_i4pp;6kfkhC}R}=*Y;AXvg82XHTCf6Z@aqL<TxgGj)&i~zU+ULuN9}-UE&`)?T_=f#HA8aA(^=iHP(lp!oR|-aH@%`&vcI9S#&E+8<"
    r"yZgnhzM^^t%<Cr*q;+ce0ssIXiwFP!00000|6P*ZirX*{h3^A-2fu(~{fuNu{ed<q-GyE(!DXR$BWaYFW^LD2Nb~l^+XUKWZieCTapufCf7)+r"
    r"u@URl(y{hBlCLKEb*8!8W_yaml-T3WSMSeL@6YEh`NX3ULIIN|A%my_vsMSDgQK7kBRBfv4e*Rp?D{;sK_Df7&<Mu4$qbTgSP0fJB$;G%(V9lx"
    r"5j!m8E6Jr{Trn<M-gvG&=NqXx=lsV_*Wz@b!oKexeRV8loPAwiE|<-SBTXCnjW6SgYIRd@hd!RCiTc9Y;a_VMBF}*w!$gZURLnY;nM4%>CLrtb"
    r"-P#jgPXi{l>kc#*U(H99+IUidM*!(;jv@+hm_vqWoijN&39>-~L14fIrywFY?VJdW)iPMEZ}iWnA^v>JR)}0Ffk2|+F#>>&Ny@-&&ITbt5-tVN"
    r"NUO9Ul;pUUMu8&{tO?C}wH^BMy7ue6aU4%w#L^9Yy`=W;Wj>VaNFS#ABi!}hs6UjWuasM_)~l~y+N!P|+V<)13q1@=0RLsZ$d>v8kfC6{XaWEL"
)


def test_a_record_of_a_member_without_an_end_is_none() -> None:
    # Its length once sent who reads on behind it back to where it begins, for ever.
    with pytest.raises(Corrupt):
        next(read_records(BytesIO(base64.b85decode(NO_END))))


def test_existing_file_is_never_written_over(writer: WarcWriter, path: Path) -> None:
    with pytest.raises(SpoolError):
        WarcWriter(path, writer.filename, {})


def test_keys() -> None:
    name = make_stem(STARTED, "c0ffee", 3) + ".warc.gz"
    assert name == "newskeep-20261121220120112-c0ffee-00003.warc.gz"
    assert key_of(name) == f"warc/2026/11/21/{name}"
    assert key_of(name, "cdxj") == "cdxj/2026/11/21/newskeep-20261121220120112-c0ffee-00003.cdxj"
    assert key_of(name, "text") == "text/2026/11/21/newskeep-20261121220120112-c0ffee-00003.jsonl.gz"
    with pytest.raises(Corrupt):
        key_of("../../etc/passwd")
