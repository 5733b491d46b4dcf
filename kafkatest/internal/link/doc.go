// Package link is the network between a test and one broker: a TCP proxy in the test process, whose address the broker
// advertises as its own, so that every client goes through it.
//
//	client ──► Link ──► broker        requests
//	       ◄──      ◄──               answers: delayed, held, or lost on the way
//
//	l, err := link.New()
//	l.Target("127.0.0.1:9092")
//	l.Set(link.Faults{Cut: true})     // nothing passes, and nobody is told
//	l.Set(link.Faults{})              // what was held goes on
package link
