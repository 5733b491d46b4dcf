// Package cluster runs recordings of Apache Kafka Streams 4.3 on a real broker against Millrace on a real broker. A case is a
// topology over topics of several partitions, and two phases: batches of records, each followed by rest, then a clean stop;
// then a new instance with an empty state directory and more batches. What was recorded is what was in every topic, partition
// by partition, which offsets were committed with which metadata, and which tasks there were. Millrace, as its users embed it,
// must do the same, in two ways:
//
//	plain      nothing ──► Millrace: phase 1 ──► stop, forget the disk ──► Millrace: phase 2
//	takeover   what Kafka Streams left after phase 1 ────────────────────► Millrace: phase 2
//	           (topics, changelogs, committed offsets with metadata)
//
//	runs := cluster.Runner{Brokers: brokers}.All(ctx, cases, cluster.Ways(), 8)
//	ok := cluster.Report(os.Stdout, runs) // cluster: P of N cases identical
//
// The broker must create no topics by itself and must delete and compact nothing while a case runs: times in cases are small
// numbers, so that every record is older than any retention. Properties has the settings.
//
// # What is compared
//
// Each topic by the mode that its case names, see Mode. Internal topics by partitions and configuration, which tasks there are
// and what they read, how many records were dropped, and of committed offsets the number of records before them, the time
// and the progress in their metadata. Progress is that of operators that emit when a window closes; what Millrace itself notes
// beside it is its own affair. Which directories Kafka Streams made on its disk is recorded too, but is not compared: Millrace's
// are named by stores, not by tasks, and tasks without stores have none.
//
// # What a restart forgets
//
// Kafka Streams forgets some times at a restart that Millrace keeps, so a case may also say what phase 2 would have been without
// the restart. Phase 2 must equal one of the two, whole: never one in one topic and the other in another. Of what is
// recorded for topics alone the rest follows: a committed offset lies behind all records, its time is the largest of theirs,
// and at least as many records were dropped, since what is remembered only makes more of them late. Where the two
// recordings of a topic differ in nothing but its order, the order was not determined, and is free when phase 2 is compared with the second.
package cluster
