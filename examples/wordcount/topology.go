package main

import (
	"github.com/millrace-streams/millrace/kstream"
	"github.com/millrace-streams/millrace/serde"
	"github.com/millrace-streams/millrace/topology"
)

// The topics of the application: typed values, declared once.
var (
	Lines  = topology.NewTopic("lines", serde.String, serde.String)
	Counts = topology.NewTopic("word-counts", serde.String, serde.Int64)
)

// build is the whole application.
func build() (*topology.Topology, error) {
	b := topology.NewBuilder()
	kstream.From(b, Lines).
		FlatMapValues(words).
		GroupBy("by-word", func(_, word string) string { return word }).
		Count("word-counts").
		To(Counts)
	return b.Build()
}
