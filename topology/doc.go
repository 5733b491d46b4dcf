// Package topology is the waist of Millrace: what a program says (kstream, ktable) becomes a checked graph here, and what
// runs it (millrace, kstest) starts from that graph. It owns typed topics, records, the processor API, and the Builder.
//
//	topics            Builder                              Topology
//	NewTopic ──► kstream.From, ktable.From, verbs … ──► Build ──► String, Describe, Mermaid, Diff
//	                                                      │
//	                                                      └─► millrace.New, kstest.New
//
// A topic is a typed value, declared once:
//
//	var Lines = topology.NewTopic("lines", serde.String, serde.String)
//
// A topology is built once and run by any number of apps and tests:
//
//	b := topology.NewBuilder()
//	kstream.From(b, Lines).MapValues(strings.ToUpper).To(Lines.Named("loud"))
//	top, err := b.Build() // every mistake, each with file and line
//
// # Subtopologies
//
// Steps connected by edges or by a store they share are one subtopology, and one task runs it for each partition of its
// topics. A repartition topic cuts: what is before it and after it are two subtopologies.
//
// # Missing keys and values
//
// Absence is a property of a record, not of its type. A record without a key shows functions the zero K. A record without
// a value, a deletion of its key, passes value verbs untouched. Processors see it with Record.HasKey and Record.HasValue.
package topology
