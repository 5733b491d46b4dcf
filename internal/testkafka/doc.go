// Package testkafka gives brokers to this project's own tests, benchmarks and `make kafka-up`. Nothing public imports it.
//
//	Real ──► KAFKA_BROKERS, if set
//	    └──► one Apache Kafka per test process: a child process, from Maven jars,
//	         on free ports of the loopback, in a temporary folder
//	New  ──► such a Kafka for one test alone, to be stopped and started again
//	Fake ──► kfake, in the process
//
// A test that needs a real broker says so in one line:
//
//	func TestMain(m *testing.M) { goleak.VerifyTestMain(testkafka.StopAfter(m)) }
//
//	func TestCommitSurvives(t *testing.T) {
//		brokers := testkafka.Real(t)
//		topic := testkafka.Name(t)
//		…
//	}
//
// Real needs Java 17, and Kafka's jars: a folder named by KAFKA_LIBS, or else the project's .kafka/libs, which is filled
// by Maven the first time. Where they cannot be had the test is skipped with one line that says why; with
// MILLRACE_REQUIRE_KAFKA=1 it fails instead.
//
// A broker never outlives its tests: it is killed by its process id when the tests end, and by the kernel (Linux) when
// the test process dies first. Its log is shown and kept when a test fails.
package testkafka
