package conformance

import (
	"time"

	"github.com/millrace-streams/millrace/ktable"
	"github.com/millrace-streams/millrace/store"
	"github.com/millrace-streams/millrace/window"
)

func (x table[S, N, K, V]) suppress(n *Node) element {
	var opts []ktable.BufferOption
	early := n.one("full", "emitEarly", "shutDown") == "emitEarly"
	if n.has("maxRecords") {
		if limit := int(n.number("maxRecords", 0)); early {
			opts = append(opts, ktable.EmitEarly(limit))
		} else {
			opts = append(opts, ktable.FailBeyond(limit))
		}
	}
	if n.has("maxBytes") {
		if limit := n.number("maxBytes", 0); early {
			opts = append(opts, ktable.EmitEarlyBytes(limit))
		} else {
			opts = append(opts, ktable.FailBeyondBytes(limit))
		}
	}
	if !n.flag("logging", true) {
		opts = append(opts, ktable.BufferStore(store.NoChangelog()))
	}
	if n.one("until", "time", "close") == "time" {
		x.t = x.t.Suppress(n.text("name"), n.span("limitMs"), opts...)
		return x
	}
	switch t := any(x.t).(type) {
	case ktable.Table[window.Key[S], V]:
		return table[S, N, window.Key[S], V]{x.p, t.SuppressUntil(n.text("name"), window.Closed, opts...), any(x.k).(kind[window.Key[S]]), x.v}
	}
	x.t = x.t.SuppressUntil(n.text("name"), func(K) time.Time { return time.Time{} }, opts...)
	return x
}
