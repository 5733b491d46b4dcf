package task

// Bury is Delete for a row that has expired. Kafka Streams, where its cache still shows such a row, does not log that it is
// gone; with Config.LogAbsent neither do we. Otherwise it is logged: a restore would bring the row back.
func (g *guard) Bury(key []byte) error {
	if ok, err := g.writable(); !ok {
		return err
	}
	g.t.deleted.note(key, buried, nil)
	return g.note(g.DB.Delete(key))
}

// Buried reports whether Bury was what removed a row in the open transaction.
func (g *guard) Buried(key []byte) bool { return g.t.isBuried(key) }
