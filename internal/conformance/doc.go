// Package conformance runs recorded behaviour of Apache Kafka Streams 4.3 against Millrace. A case is a topology in a small
// language, a script of input events, and everything that Kafka Streams let be seen: every record of every topic with its
// bytes, time and headers, the stores at the end, dropped records, and the error if there was one. Millrace must do the same,
// byte for byte.
//
//	case ──► Program: the public verbs ──► kstest, one task ──► Seen ──► Diff ◄── what was recorded
//	                                          ▲
//	                        steps: records, and moves of the clock
//
// The interpreter is written over the public language alone (kstream, ktable, topology, window, store, serde, kstest), as a
// user's program would be. It never skips: an operation, field or function it does not know fails the case.
//
//	cases, err := conformance.ReadDir("testdata/cases")
//	for _, c := range cases {
//		if diff := conformance.Check(c, conformance.Options{}); diff != nil {
//			fmt.Println(c.Name, diff)
//		}
//	}
//
// # Nulls
//
// Functions of Kafka Streams see nulls, so programs use serde.Nullable: keys and values are *string. Where no function meets
// a null, the same topology is built again with plain strings (Options.Plain) and must do the same.
//
// # What is compared
//
// Topics record by record; changelog topics per step, the last record of each row: values overwritten within one commit have
// no reader, and Millrace does not write them. A time that was recorded as none is not compared. Of an error only the phase
// and the step count.
package conformance
