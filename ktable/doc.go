// Package ktable is the table half of the DSL: the latest value per key, folded from a stream or read from a topic, and
// every verb that gives a table.
//
//	topic ──► From ─────────────────────┐
//	kstream ──► ToTable ────────────────┼──► Table ──► Filter, MapValues, … ──► Table ──► To, Then(kstream.FromTable)
//	kstream ──► GroupBy ──► Grouped ────┘                                         │
//	                        Count, Reduce, Aggregate                              └──► the lookup side of JoinTable
//	                        WindowedBy, WindowedBySession ──► the same per window
//	                        Cogroup, And ──► one table of several streams
//
// A table counted from a stream:
//
//	counts := kstream.From(b, Lines).
//		FlatMapValues(strings.Fields).
//		GroupBy("by-word", func(_, word string) string { return word }).
//		Count("word-counts")
//	counts.To(Counts)
//
// # Stores and names
//
// Tables that hold rows take a name first: of their store, and of its changelog topic <application id>-<name>-changelog.
// It must not change between versions of a program. Filter and the MapValues verbs hold nothing; a join that looks such a
// table up computes the row from the nearest store before it. Materialize gives it a store.
//
// # When a table forwards
//
// Once per commit and changed row, with the row before and after; several updates between two commits are one change,
// and a row that came and went is none. With store.NoCache every update is forwarded at once. A store is always read as
// of now, whatever was forwarded.
//
// # Windows
//
// A windowed table has a row per window.Key: a key and the window, or session, that its records lie in. It forwards updates
// as any table does, or, with EmitOnClose, one result per window. A window is closed when the event time of the step that
// folds, the highest of the records it has seen, has passed the window's end and grace; records that come later are dropped
// and counted, and LateTo sends them to a topic.
//
//	kstream.From(b, Clicks).GroupByKey().
//		WindowedBy(window.Tumbling(time.Minute).Grace(10 * time.Second)).
//		EmitOnClose().
//		Count("clicks-per-minute").
//		To(PerMinute)
//
// # Missing keys and values
//
// A record without a key never reaches a table; it is dropped and counted. A record without a value deletes the row where
// a table is read from a topic or a stream, and is dropped and counted by Count, Reduce and Aggregate. Functions never see
// a deleted row. With a serde.Nullable value a null counts as no value.
package ktable
