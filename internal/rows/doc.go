// Package rows is typed rows over the bytes of a store.DB: what processors get as store.KeyValue, and what the operators
// of tables fold into.
//
//	store.KeyValue[K, V]      Get, Put, All …     a time is that of the record in hand
//	        │
//	KeyValue[K, V]            Find, Write, Dirty  with times; no allocation of their own
//	        │
//	store.DB                  PREFIX KEY = TIME VALUE
//
// A row's key is the store's prefix and the bytes of its key, its value the event time it holds from (milliseconds, 8
// bytes, big endian) and the bytes of its value. Window and Session are the same for values per key and stretch of time,
// with keys as internal/layout has them; what expires is hidden at once and given up later, by the store's own stream time.
//
// Methods return no errors. What fails (the engine, a serde) ends the handler with record.Fail, at the step the handle
// was opened for. A handle that is used after its task was closed panics with store.ErrClosed.
package rows
