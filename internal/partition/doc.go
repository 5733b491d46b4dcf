// Package partition finds the partition of a key as Kafka's own producers do, so that records written by anybody meet in
// the same task.
//
//	key bytes ──► Murmur2 ──► & 0x7fffffff ──► mod partitions
//
//	p := partition.Of([]byte("key-1"), 100) // 40
package partition
