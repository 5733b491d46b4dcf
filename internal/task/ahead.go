package task

// Ahead returns what to commit before processing, at most once: the positions behind everything buffered. Until Committed the
// caller processes what is buffered and adds nothing.
func (t *Task) Ahead() []Offset {
	offsets := make([]Offset, 0, len(t.inputs))
	for _, in := range t.inputs {
		if !in.known {
			continue
		}
		in.offered = in.next
		offsets = append(offsets, Offset{TP: in.tp, Offset: in.offered, Epoch: in.epoch, Metadata: metadata{in.time, t.times()}.encode()})
	}
	return offsets
}
