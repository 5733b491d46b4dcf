package metamorphic

// A session is what the records of a key have become that lie no further apart than the gap.
type session struct {
	key        string
	start, end int64
	values     []*string
}

// sessionsOf is what the oracle claims of sessions: a record with a key moves the time of its partition. It joins the sessions
// that it lies within the gap of to one, unless the end of that lies before that time less gap and grace: then it is late. Sessions
// that no record can join any more may be forgotten. The time of a row is the end of its session. Without results on close the last update of
// every session is claimed, null for those that were joined; on close, one record for each that ended before the time less gap and
// grace, by the record that moved it.
func sessionsOf(c cut, verb, fn string, in data) data {
	return in.each(func(es []event) (out []event) {
		var all []session
		clock, put := int64(-1), int64(-1) // put: the latest end of a session
		for _, e := range es {
			if e.key == nil {
				continue
			}
			before := clock
			clock = max(clock, e.time)
			one := session{*e.key, e.time, e.time, nil}
			var rest, joined []session
			for _, s := range all {
				gone := c.hidesForgotten && s.end < put-(c.size+c.grace)+1
				if s.key == *e.key && !gone && s.end >= e.time-c.size && s.start <= e.time+c.size {
					joined = append(joined, s)
				} else {
					rest = append(rest, s)
				}
			}
			for _, s := range joined {
				one.start, one.end, one.values = min(one.start, s.start), max(one.end, s.end), append(one.values, s.values...)
			}
			one.values = append(one.values, e.value)
			if one.end >= clock-c.grace-c.size {
				if !c.close {
					for _, s := range joined {
						out = append(out, event{e.at, text(windowed(s.key, s.start, s.end)), nil, s.end})
					}
					out = append(out, event{e.at, text(windowed(one.key, one.start, one.end)), folded(verb, fn, one.values), one.end})
				}
				all, put = append(rest, one), max(put, one.end)
			}
			if c.close {
				for _, s := range all {
					if over := s.end + c.size + c.grace; over < clock && (before < 0 || over >= before) {
						out = append(out, event{e.at, text(windowed(s.key, s.start, s.end)), folded(verb, fn, s.values), s.end})
					}
				}
			}
		}
		return out
	})
}
