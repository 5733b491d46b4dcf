package proc

import (
	"errors"

	"github.com/millrace-streams/millrace/internal/graph"
	"github.com/millrace-streams/millrace/internal/record"
)

// A Hand knows what a processor has in hand: nothing while it is set up, then a record, or a timer's time.
type Hand struct {
	node  int32
	holds uint8
}

const (
	setup uint8 = iota
	aRecord
	aTime
)

// NewHand returns the hand of the processor at n, which is about to be set up.
func NewHand(n *graph.Node) *Hand { return &Hand{node: int32(n.ID)} }

// Take takes a record in hand.
func (h *Hand) Take() { h.holds = aRecord }

// mustSend fails while nothing may be sent.
func (h *Hand) mustSend() {
	if h.holds == setup {
		record.Fail(h.node, errors.New("topology: a processor's setup must not send: send from the handler or a timer"))
	}
}

// mustHoldRecord fails while there is no key to send under.
func (h *Hand) mustHoldRecord() {
	h.mustSend()
	if h.holds == aTime {
		record.Fail(h.node, errors.New("topology: OutValue has no key to send under in a timer: use Process and Out"))
	}
}
