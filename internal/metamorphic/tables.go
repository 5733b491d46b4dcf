package metamorphic

import (
	"maps"
	"slices"
	"strings"
)

// What the oracle claims of tables: a record without a key is none, one without a value deletes its row. The last update counts,
// whatever its time.

// tableOf returns the updates that records make.
func tableOf(in data) data {
	return in.each(func(es []event) []event {
		return slices.DeleteFunc(slices.Clone(es), func(e event) bool { return e.key == nil })
	})
}

// rows returns the rows of a table in the end.
func rows(updates []event) map[string]event {
	last := map[string]event{}
	for _, e := range updates {
		last[*e.key] = e
		if e.value == nil {
			delete(last, *e.key)
		}
	}
	return last
}

// joinTable is what the oracle claims of a stream joined with a table: a record with a value meets the row of its key as it was
// when the record came, and keeps its time; in a left join one that meets none, or has no key, is sent alone.
func joinTable(kind string, stream, table data) data {
	out := make(data, len(stream))
	for p := range stream {
		for _, e := range stream[p] {
			if e.value == nil {
				continue
			}
			var row *string
			if e.key != nil {
				var before []event
				for _, u := range table[p] {
					if u.at < e.at {
						before = append(before, u)
					}
				}
				if r, ok := rows(before)[*e.key]; ok {
					row = r.value
				}
			}
			if row != nil || kind == "left" {
				out[p] = append(out[p], event{e.at, e.key, paired(e.value, row), e.time})
			}
		}
	}
	return out
}

// joinTables is what the oracle claims of joined tables: after every update of either side, the row of a key is the join of
// both rows, with the latest time of the update and the rows; there is none if a side is missing that must be there.
func joinTables(kind string, left, right data) data {
	out := make(data, len(left))
	for p := range left {
		for _, u := range merged(left[p], right[p]) {
			so := func(es []event) (r event, ok bool) {
				es = slices.DeleteFunc(slices.Clone(es), func(e event) bool { return e.at > u.at })
				r, ok = rows(es)[*u.key]
				return r, ok
			}
			l, lok := so(left[p])
			r, rok := so(right[p])
			joined := event{u.at, u.key, nil, max(u.time, l.time, r.time)}
			if lok && rok || lok && kind != "inner" || rok && kind == "outer" {
				joined.value = paired(l.value, r.value)
			}
			out[p] = append(out[p], joined)
		}
	}
	return out
}

// joinForeign is what the oracle claims of foreign-key joins in the end: a row of the left table has that of the right table it
// names; an inner join has none where there is nothing to be had, a left join has nothing to show for it. Times are not
// claimed.
func joinForeign(kind, fn string, left, right data) data {
	out, others := make(data, len(left)), rows(slices.Concat(right...))
	for p := range left {
		mine := rows(left[p])
		for _, key := range slices.Sorted(maps.Keys(mine)) {
			l := mine[key]
			var found *string
			if name := selected(fn, l); name != nil {
				if r, ok := others[*name]; ok {
					found = r.value
				}
			}
			if found != nil || kind == "left" {
				out[p] = append(out[p], event{never, l.key, paired(l.value, found), 0})
			}
		}
	}
	return out
}

// regrouped is what the oracle claims in the end of a table grouped by another key and folded: each group has the fold of the
// rows that are in it, in any order, and groups that were left by all their rows have the fold of none. Times are not claimed.
func regrouped(key, val, verb, fn string, table data) data {
	groups := map[string][]*string{}
	for _, updates := range table {
		for _, u := range updates { // every group there ever was
			if k := selected(key, u); u.value != nil && k != nil && groups[*k] == nil {
				groups[*k] = []*string{}
			}
		}
		for _, r := range rows(updates) {
			if k, v := selected(key, r), value(val, r); k != nil && v != nil {
				groups[*k] = append(groups[*k], v)
			}
		}
	}
	out := make(data, len(table))
	for _, k := range slices.Sorted(maps.Keys(groups)) {
		result := folded(verb, fn, groups[k])
		if verb == "aggregate" && len(groups[k]) == 0 {
			result = text("0")
		}
		p := place(k, len(table))
		out[p] = append(out[p], event{never, text(strings.Clone(k)), result, 0})
	}
	return out
}
