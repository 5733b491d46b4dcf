package task

// Ahead returns what to commit before processing, at most once: the positions behind everything buffered, or behind what is
// ready where records wait for calls. Until Committed the caller processes what is ready and adds nothing.
func (t *Task) Ahead() []Offset {
	t.ahead.batch = len(t.ahead.steps) > 0
	offsets, times := make([]Offset, 0, len(t.inputs)), t.times()
	for _, in := range t.inputs {
		if !in.known {
			continue
		}
		in.offered = in.readyTo()
		offsets = append(offsets, in.place(times))
	}
	return offsets
}

// readyTo returns the position behind the records of an input that may be taken up, as far as calls are concerned.
func (in *input) readyTo() int64 {
	if in.peek == nil {
		return in.next
	}
	n := 0
	for n < len(in.previews) && in.previews[n].ready {
		n++
	}
	if n == in.buffered() {
		return in.next
	}
	return in.recs[in.head+n].Offset
}
