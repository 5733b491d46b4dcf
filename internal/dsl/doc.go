// Package dsl holds what kstream and ktable share: typed handles on nodes of a graph.Builder, and the ends of every
// graph, where bytes become records and records bytes.
//
//	Topic ──► Source ──► Handle ──► … verbs of kstream and ktable … ──► Handle ──► Sink ──► Topic
//	                        └── Repartition: a Sink and a Source over one internal topic
//
// The public types (kstream.Stream, ktable.Table, ktable.Grouped) have types of this package as underlying types.
// Their fields are unexported here and their methods are not inherited there, so users see nothing of it, and the
// packages get at it by a conversion:
//
//	h := dsl.Handle[K, V](s) // s is a kstream.Stream[K, V]
//	return Stream[K, V](h.Pass(dsl.Step{Call: "Peek", Kind: "peek"}, wire))
package dsl
