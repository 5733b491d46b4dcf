// Package kstream is the stream half of the DSL: unbounded sequences of keyed records, and every verb that gives one.
//
//	topic ──► From ──► Stream ──► Filter, MapValues, Split, Process, … ──► Stream ──► To, ToEach, ForEach
//	                     │  ▲
//	   GroupBy, ToTable  ▼  │  FromTable, FromChanges
//	                   package ktable ◄── looked up by JoinTable
//
// The smallest program:
//
//	b := topology.NewBuilder()
//	kstream.From(b, Lines).MapValues(strings.ToUpper).To(Loud)
//	top, err := b.Build()
//
// Verbs are methods, found by typing a dot. A stream is a small value: use it twice, and both branches get every record.
// Types are checked by the compiler through the whole chain. Mistakes it cannot see, such as a name used twice, are
// returned by Build, all at once, each with its line.
//
// # Keys and tasks
//
// Records of equal keys are processed by one task, in order, as long as the key is that of the topic. After a verb that
// changes the key (Map, FlatMap, SelectKey, MapRecord, Process), what needs equal keys in one task (GroupByKey, ToTable,
// JoinTable) is a build error until Repartition sends the stream through a topic, or AssumePartitioned says that it need
// not. Nothing repartitions in silence. GroupBy changes the key and repartitions, under the name it is given.
//
// # Missing keys and values
//
// Absence is a property of the record. A function sees a missing key as the zero K. A record without a value, a deletion
// of its key,
//
//   - passes Filter, FilterNot, the MapValues and FlatMapValues verbs, Peek, WithHeaders, Merge, Repartition and To, whose
//     functions are not called for it, and goes to every case of a Split and its default;
//   - is seen by MapRecord, ToEach and processors, which get the whole Record;
//   - is dropped and counted by Map, FlatMap, SelectKey, GroupBy and JoinTable, which need its value;
//   - ends at ForEach and Print, uncalled; DropDeletes removes it.
//
// Functions of a topic whose serde is serde.Nullable are called with nil instead.
//
// # Errors
//
// A Try verb takes a function that may fail. An error, or a panic of any function, is an error of the record: OnError, the
// topic, or Config.OnError decides what becomes of it.
package kstream
