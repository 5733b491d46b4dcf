// Package store says what state is: the declarations a topology makes (specs and options), the typed stores a handler
// gets, and DB, the seam between the runtime and a storage engine.
//
//	declaration            a handler's view             rows as bytes
//	NewKeyValue ───────►   KeyValue[K, V]  ──────►  DB ──► memstore     (tests, InMemory)
//	NewWindow, …           Window, Session, …        └───► pebblestore  (disk)
//
// A store is declared once and given to the steps that use it:
//
//	var seen = store.NewKeyValue("seen", serde.String, serde.Int64)
//
// and inside a processor the task hands out its own part of it:
//
//	rows := t.KeyValue(seen)
//	n, _ := rows.Get(id)
//	rows.Put(id, n+1)
//
// State is transactional. What a handler writes is read back at once, becomes durable only with the Kafka transaction
// it belongs to, and is mirrored to a changelog topic, one record per written row and transaction. An aborted
// transaction leaves no trace.
//
// Stores return no errors inside a handler: a failing engine or an undecodable row ends the handler, as
// testing.T.FailNow ends a test, and the transaction is aborted. Stores belong to the goroutine of their task; used
// after the task was closed they panic with ErrClosed.
package store
