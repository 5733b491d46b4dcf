// Package kafkatest gives a test a Kafka, and the faults it wants to see survived. It takes the cheapest way that
// serves what the test asks for, so that one test runs on a laptop, in a container and in CI.
//
//	                   ┌─► KAFKA_BROKERS      brokers that are there
//	Start(t, options) ─┼─► Testcontainers     KAFKA_IMAGE, else apache/kafka
//	                   ├─► jars               Java 17 and Maven, or KAFKA_LIBS
//	                   └─► kfake              in the test process
//
//	client ──► link ──► broker        a TCP proxy in the test process, at the address the broker advertises:
//	                                  Cut, Slow, LoseAnswers, Heal work in every way but the first
//
// A first test is example_test.go. Options ask for more: Version, Brokers(3), TLS, SCRAM,
// ClientCertificates, ACLs. Where brokers have processes of their own they can be killed, stopped, paused and started
// again; say so with Faults.
//
//	c := kafkatest.Start(t, kafkatest.Brokers(3), kafkatest.Faults())
//	c.Kill(c.Leader("orders", 0))
//
// Where no way serves, the test fails with what to install. OrSkip has it skipped, unless MILLRACE_REQUIRE_KAFKA=1 (and for
// tests that only containers serve MILLRACE_REQUIRE_CONTAINERS=1) is set, as in CI. Real and By, and KAFKATEST_WAYS in
// the environment, as containers,jars, narrow the ways.
//
// # A module of its own
//
// It is not part of the module of the library: a service that imports Millrace neither downloads nor links
// Testcontainers. Require this one where your tests are. If those are in the service's own module, put tests that use it
// into a folder with a go.mod, or accept that go.sum knows Testcontainers: the service's binary never links it. The
// first compilation takes a minute on a small machine, later ones seconds.
//
// # What it sets
//
// Testcontainers is told, unless the environment says otherwise, that it need not run its reaper
// (TESTCONTAINERS_RYUK_DISABLED=true; the containers of a test process that was killed are removed by the next Start),
// and where the engine's socket is a local one that containers are reached at 127.0.0.1 (TESTCONTAINERS_HOST_OVERRIDE).
//
// # Limits
//
// Clients have to be on the machine of the test. Isolate needs containers. KAFKA_BROKERS serves tests that ask for
// nothing: no faults, no security.
package kafkatest
