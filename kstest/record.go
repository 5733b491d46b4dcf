package kstest

import "github.com/millrace-streams/millrace/topology"

// KV is a record to expect, or to send, with a key and a value.
func KV[K, V any](key K, value V) topology.Record[K, V] {
	return topology.Record[K, V]{Key: key, Value: value}
}

// Deleted is a record to expect, or to send, without a value: it deletes its key.
func Deleted[K, V any](key K) topology.Record[K, V] {
	return topology.Record[K, V]{Key: key}.WithoutValue()
}
