// Package plain has a test of an app on Testcontainers alone, for those who do not want kafkatest. It shows what that takes: a
// broker that is told, before it starts, at which address it will be found.
//
//	client ──► 127.0.0.1:PORT ──► container:9092        advertised as 127.0.0.1:PORT
//	                              container:9094        advertised as localhost:9094: the broker to itself
//
//	addr := startKafka(t)
package plain
