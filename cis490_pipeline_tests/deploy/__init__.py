"""The files of ``deploy/`` against the programs that read them."""
