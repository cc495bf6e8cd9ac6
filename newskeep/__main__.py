from newskeep.cli import main

main()
