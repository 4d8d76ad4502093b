// The random model of a block store.
