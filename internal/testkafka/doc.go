// Package testkafka gives brokers to this project's own tests, benchmarks and `make kafka-up`. Nothing public imports it.
//
//	New  ──► one Apache Kafka for one test: a child process, from Maven jars, on free ports of the loopback, in a temporary
//	         folder; it can be stopped, started again, paused and killed
//	Fake ──► kfake, in the process
//
// Tests of whole applications take their clusters from kafkatest, as users do, which starts brokers from jars by this package.
//
//	b := testkafka.New(t, testkafka.Options{})
//	client, err := kgo.NewClient(kgo.SeedBrokers(b.Addr()))
//
// New needs Java 17, and Kafka's jars: a folder named by KAFKA_LIBS, or else the project's .kafka/libs, which is filled
// by Maven the first time. Where they cannot be had the test is skipped with one line that says why; with
// MILLRACE_REQUIRE_KAFKA=1 it fails instead.
//
// A broker never outlives its tests: it is killed by its process id when the tests end, and by the kernel (Linux) when
// the test process dies first. Its log is shown and kept when a test fails.
package testkafka
