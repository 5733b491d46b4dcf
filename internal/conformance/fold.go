package conformance

// aggregator returns a function from key, value and aggregate to an aggregate. Reducers are aggregators without a key, whose
// aggregate is the old value.
func (n *Node) aggregator(field string) func(k, v, a *string) *string {
	f := n.function(field)
	switch f.name {
	case "concat":
		return func(_, v, a *string) *string {
			if blank(a) {
				return new(shown(v))
			}
			return new(*a + f.arg + shown(v))
		}
	case "add":
		return func(_, v, a *string) *string { return new(shown(a) + "+" + shown(v)) }
	case "sub":
		return func(_, v, a *string) *string { return new(shown(a) + "-" + shown(v)) }
	case "tag":
		return func(_, v, a *string) *string { return new(shown(a) + f.arg + "=" + shown(v) + ";") }
	case "last":
		return func(_, v, _ *string) *string { return v }
	case "first":
		return func(_, v, a *string) *string {
			if blank(a) {
				return v
			}
			return a
		}
	case "min":
		return func(_, v, a *string) *string {
			if blank(a) || v != nil && *v < *a {
				return v
			}
			return a
		}
	case "max":
		return func(_, v, a *string) *string {
			if blank(a) || v != nil && *v > *a {
				return v
			}
			return a
		}
	case "sumLen":
		return func(_, v, a *string) *string { return decimal(sum(a) + chars(v)) }
	case "subLen":
		return func(_, v, a *string) *string { return decimal(sum(a) - chars(v)) }
	case "nullOn":
		return func(_, v, a *string) *string {
			switch {
			case v != nil && *v == f.arg:
				return nil
			case blank(a):
				return new(shown(v))
			}
			return new(*a + "," + shown(v))
		}
	case "keyed":
		return func(k, v, a *string) *string { return new(shown(a) + shown(k) + ":" + shown(v) + ";") }
	}
	unknown("aggregator %q", f.name)
	return nil
}

// sum reads an aggregate as a number, 0 if it is blank.
func sum(a *string) int64 {
	if blank(a) {
		return 0
	}
	return number(*a)
}

func chars(v *string) int64 {
	if v == nil {
		return 0
	}
	return int64(length(*v))
}

// joiner returns a function from key, left and right value to a value. keyed says whether the join has a key to give.
func (n *Node) joiner(keyed bool) func(k, l, r *string) *string {
	f := n.function("joiner")
	pair := func(_, l, r *string) *string { return new(shown(l) + "|" + shown(r)) }
	switch f.name {
	case "pair":
		return pair
	case "keyed":
		if !keyed {
			// Kafka Streams gives no key to the joiners of tables: they see null.
			return func(_, l, r *string) *string { return new(null + ":" + shown(l) + "|" + shown(r)) }
		}
		return func(k, l, r *string) *string { return new(shown(k) + ":" + shown(l) + "|" + shown(r)) }
	case "nullIfSame":
		return func(k, l, r *string) *string {
			if l == nil && r == nil || l != nil && r != nil && *l == *r {
				return nil
			}
			return pair(k, l, r)
		}
	case "left":
		return func(_, l, _ *string) *string { return l }
	case "right":
		return func(_, _, r *string) *string { return r }
	}
	unknown("joiner %q", f.name)
	return nil
}

// merger returns a function that joins the aggregates of two sessions.
func (n *Node) merger() func(l, r *string) *string {
	f := n.function("merger")
	switch f.name {
	case "concat":
		return func(l, r *string) *string {
			a, b := shown(l), shown(r)
			switch {
			case a == "":
				return &b
			case b == "":
				return &a
			}
			return new(a + f.arg + b)
		}
	case "trace":
		return func(l, r *string) *string { return new("(" + shown(l) + "&" + shown(r) + ")") }
	case "sum":
		value := func(s *string) int64 {
			if blank(s) || *s == null {
				return 0
			}
			return number(*s)
		}
		return func(l, r *string) *string { return decimal(value(l) + value(r)) }
	}
	unknown("session merger %q", f.name)
	return nil
}
