// Command wordcount counts the words of real text, exactly once:
//
//	text ──► lines ──► words ──► by-word (repartition) ──► count ──► word-counts
//
// Without -brokers it starts an embedded Kafka, a process of its own with its data in the state directory, so one command
// and no set-up show a whole application: it can be killed with -9 and started again on its directory, or run as several
// instances, and every word is still counted once.
//
//	go run ./examples/wordcount
//	go run ./examples/wordcount -input book.txt -top 20
//	go run ./examples/wordcount -input corpus/ -brokers localhost:9092 -state-dir /var/lib/wordcount -instances 3 -dump counts.tsv
package main
