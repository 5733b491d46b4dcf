// Package java hands a Kafka Streams application over to Millrace and back, on a real broker: an application of several
// subtopologies, stores of every kind and some thousand records, stopped or killed in mid-stream each time.
//
//	src/main/java/shop   the application, built by Maven     ┐  one application id, one set of topics,
//	topology_test.go     the same topology, for Millrace     ┘  names and bytes that both read and write
//
//	load ──────────────────────────────────────────────────────────────►
//	       Java ──SIGTERM──► Millrace ──SIGTERM──► Java ──kill -9──► Millrace ──kill -9──► Java
//
// At the end a client that shares nothing with either reads what was committed, and each count must read 1, 2, 3 … without
// gap or repeat over all hands; what comes of windows, joins and sums must be what is computed here from the load.
//
// docs/from-kafka-streams.md is the guide that comes of it.
package java
