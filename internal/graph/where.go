package graph

import "github.com/millrace-streams/millrace/internal/record"

// Where says where the record that an operator has in hand was read: one that waited in a buffer, where it was read then. ok
// is false where a timer brought it about.
func Where(env Env) (at record.Position, ok bool) {
	if waited := env.Meta().At; waited != nil {
		return *waited, true
	}
	topic, partition, offset, ok := env.Position()
	return record.Position{Topic: topic, Partition: partition, Offset: offset}, ok
}
