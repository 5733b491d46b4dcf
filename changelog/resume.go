package changelog

import (
	"fmt"
	"time"

	"github.com/millrace-streams/millrace/store"
)

// A Log is a changelog partition as the broker has it.
type Log struct {
	TopicID         [16]byte
	Start, End      int64         // first offset, high watermark
	DeleteRetention time.Duration // how long tombstones are kept after compaction; 0: for ever
}

// A Plan says how a store is brought up to its changelog.
type Plan struct {
	From int64  // offset to read from
	Wipe bool   // remove the store's rows first
	Why  string // of a wipe
}

// Resume decides where to go on from a store's checkpoint. The store is wiped only when its rows cannot be a prefix of the
// log any more, or when a deletion may have been compacted away unseen. now is in milliseconds since the epoch.
func Resume(at store.Checkpoint, found bool, log Log, now int64) Plan {
	wipe := func(format string, a ...any) Plan { return Plan{log.Start, true, fmt.Sprintf(format, a...)} }
	switch {
	case !found:
		return Plan{From: log.Start}
	case at.TopicID != log.TopicID:
		return wipe("the topic was deleted and made anew (id %x, the store has %x)", log.TopicID, at.TopicID)
	case at.Offset > log.End:
		return wipe("the store is at offset %d, beyond the end of the log at %d", at.Offset, log.End)
	case at.Offset < log.Start:
		return wipe("the store is at offset %d, the log begins at %d", at.Offset, log.Start)
	case at.Offset == log.End || log.DeleteRetention <= 0:
		return Plan{From: at.Offset}
	}
	if away := time.Duration(now-at.Stamp) * time.Millisecond; away > log.DeleteRetention {
		return wipe("the store was last at the end of the log %v ago, deletions are kept for %v", away.Round(time.Second), log.DeleteRetention)
	}
	return Plan{From: at.Offset}
}
