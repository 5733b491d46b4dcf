// Package recorded has Millrace do what was recorded of Kafka Streams on a real broker. The cases, and how they are compared, are in
// internal/conformance/cluster; make conformance-cluster shows one in full.
package recorded
