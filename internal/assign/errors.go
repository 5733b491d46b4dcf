package assign

import (
	"fmt"
	"strings"
)

// UnknownTopicError says that a subtopology waits because a source topic of it does not exist yet, or is not known.
type UnknownTopicError struct {
	Topic       string
	Fingerprint string // of the subtopology that waits
}

func (e *UnknownTopicError) Error() string {
	return fmt.Sprintf("assign: number of partitions of topic %q is not known: subtopology %s waits until the topic exists", e.Topic, e.Fingerprint)
}

// YieldError says that topics are not read for now, because their subtopology shares a topic with another version of it
// that more members run.
type YieldError struct {
	Topics          []string // not read by anybody
	Fingerprint, To string   // of the subtopology that yields, and of the one that runs
	Shared          string   // the topic both read
}

func (e *YieldError) Error() string {
	return fmt.Sprintf("assign: topics %s wait: subtopology %s yields topic %q to version %s, until more members run the new version",
		strings.Join(e.Topics, ", "), e.Fingerprint, e.Shared, e.To)
}
