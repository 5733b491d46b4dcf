package millrace

import (
	"errors"
	"fmt"
	"time"
)

// A group may have members of another kind: those of a Kafka Streams application that is being taken over from. Without being asked
// to they do not leave when they stop, and killed ones cannot; until their sessions end, the coordinator refuses whoever
// speaks another protocol. From outside the dead look like the living, so it takes patience to tell.

// foreignPatience is longer than sessions last where nobody chose: 45 s for clients in Java.
const foreignPatience = time.Minute

// foreign takes a refusal because of members of another kind. It is nil until that has lasted for too long.
func (g *group) foreign(refusal error) error {
	now := time.Now().UnixNano()
	if g.refused.CompareAndSwap(0, now) {
		g.p.log.Warn("millrace: the group has members that speak another protocol; waiting for them to leave, or for their sessions to end", "for at most", foreignPatience)
		return nil
	}
	if time.Duration(now-g.refused.Load()) < foreignPatience {
		return nil
	}
	return fmt.Errorf("millrace: group %q: %w: for %v it has had members that speak another protocol: is another kind of application running with this id? Stop it; one that stopped without leaving, or was killed, is a member until its session times out",
		g.p.cfg.ApplicationID, refusal, foreignPatience)
}

var errForeign = errors.New("millrace: not ready: the group has members that speak another protocol, of a Kafka Streams application maybe; waiting for their sessions to end")
