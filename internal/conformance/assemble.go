package conformance

import (
	"encoding/json"
	"fmt"

	"github.com/millrace-streams/millrace/topology"
)

// Assemble makes the topology of a case with nullable types, faults of Kafka Streams included, as Run does: for those who run
// it by other means. What Millrace says of the topology is an error, and so is a word that the interpreter has no meaning for.
func (c *Case) Assemble() (top *topology.Topology, err error) {
	if c.broken != nil {
		return nil, c.broken
	}
	if err := c.check(); err != nil {
		return nil, err
	}
	defer func() {
		switch p := recover().(type) {
		case nil:
		case Unknown:
			err = p
		default:
			panic(p)
		}
	}()
	if top, err = nullable(c).build(); err != nil {
		return nil, fmt.Errorf("conformance: topology of case %s: %w", c.Name, err)
	}
	return top, nil
}

// Word returns a field of an operation that is text, "" if it is not there or none. It does not count as read.
func (n *Node) Word(field string) (s string) {
	if json.Unmarshal(n.fields[field], &s) != nil {
		return ""
	}
	return s
}
