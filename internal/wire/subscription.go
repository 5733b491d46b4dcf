package wire

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// An Instruction says what the holder of a foreign key does with a subscription.
type Instruction byte

const (
	Unsubscribe       Instruction = iota // forget the row; no answer
	UnsubscribeAnswer                    // forget the row, and answer that there is no match
	AnswerAlways                         // keep the row; answer, also that there is no match
	AnswerMatch                          // keep the row; answer only if there is a match
)

// A Subscription is a row of the left table that asks for the row of its foreign key.
//
//	version with bit 7 for "no hash" │ instruction │ hash 16, if any │ primary key │ partition int32
type Subscription struct {
	Instruction Instruction
	Hash        Hash // of the left row
	HasHash     bool // there is a left row
	Primary     []byte
	Partition   int32 // where the left row is; -1: not said (version 0)
}

const (
	noHash              = 0x80
	subscriptionVersion = 1
	responseVersion     = 0
)

var (
	errSubscription = errors.New("not a subscription of a foreign-key join")
	errResponse     = errors.New("not a response of a foreign-key join")
)

// AppendSubscription appends the bytes of a subscription.
func AppendSubscription(dst []byte, s Subscription) []byte {
	if s.HasHash {
		dst = append(dst, subscriptionVersion, byte(s.Instruction))
		dst = append(dst, s.Hash[:]...)
	} else {
		dst = append(dst, subscriptionVersion|noHash, byte(s.Instruction))
	}
	return binary.BigEndian.AppendUint32(append(dst, s.Primary...), uint32(s.Partition))
}

// DecodeSubscription reads the bytes of a subscription, to which its primary key refers.
func DecodeSubscription(b []byte) (Subscription, error) {
	if len(b) < 2 {
		return Subscription{}, fmt.Errorf("%w: it has %d bytes", errSubscription, len(b))
	}
	s := Subscription{Instruction: Instruction(b[1]), HasHash: b[0]&noHash == 0, Partition: -1}
	version := b[0] &^ noHash
	if version > subscriptionVersion {
		return Subscription{}, fmt.Errorf("%w: version %d is not known: a newer program wrote it", errSubscription, version)
	}
	if s.Instruction > AnswerMatch {
		return Subscription{}, fmt.Errorf("%w: instruction %d is not known", errSubscription, b[1])
	}
	b = b[2:]
	if s.HasHash {
		if len(b) < HashLen {
			return Subscription{}, fmt.Errorf("%w: its hash is cut off", errSubscription)
		}
		b = b[copy(s.Hash[:], b):]
	}
	if version == subscriptionVersion {
		if len(b) < 4 {
			return Subscription{}, fmt.Errorf("%w: its partition is cut off", errSubscription)
		}
		s.Partition = int32(binary.BigEndian.Uint32(b[len(b)-4:]))
		b = b[:len(b)-4]
	}
	s.Primary = b
	return s, nil
}
