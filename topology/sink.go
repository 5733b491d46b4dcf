package topology

import "context"

// Sink writes records to another system exactly once: it stores the position with the data, in one transaction of that
// system, so that what was written before a crash is known after it.
//
//	Begin ──► epoch, last offset stored      older owners of the partition are shut out
//	  │
//	Write, Write, …                          records and the offset of the last one, under the epoch
//
// The positions are those in the topic that the stream goes through, whose offsets do not change. Calls for one partition
// come one after the other, those for different ones at once and from several goroutines.
type Sink[K, V any] interface {
	// Begin takes over a partition, from p on: it raises the other system's own epoch, which shuts out older owners, and
	// returns it with the last stored offset, or -1.
	Begin(ctx context.Context, p Position) (epoch, last int64, err error)
	// Write stores the records and the offset of the last one, p, in one transaction of the other system. It must fail when
	// the epoch is not the latest. After an error, whether the records were stored or not, Begin is called again.
	Write(ctx context.Context, p Position, epoch int64, records []Record[K, V]) error
}
