package conformance

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// A function of the language works on text: a nil text is null. It is written name or name:argument.
type function struct{ name, arg string }

// null is how a text spells null where it is shown.
const null = "∅"

// function reads a field that holds a function.
func (n *Node) function(field string) function {
	name, arg, _ := strings.Cut(n.text(field), ":")
	return function{name, arg}
}

func shown(s *string) string {
	if s == nil {
		return null
	}
	return *s
}

func blank(s *string) bool { return s == nil || *s == "" }

func length(s string) int { return utf8.RuneCountInString(s) }

// number reads a text as a number; one that is none is an error of the record.
func number(s string) int64 {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		panic(err)
	}
	return n
}

func decimal[N int | int64](n N) *string { return new(strconv.FormatInt(int64(n), 10)) }

// first returns the first n characters, fewer if there are no more.
func first(s string, n int) string {
	for i := range s {
		if n == 0 {
			return s[:i]
		}
		n--
	}
	return s
}

// argument reads the argument as a number, when the topology is built.
func (f function) argument() int64 {
	n, err := strconv.ParseInt(f.arg, 10, 64)
	if err != nil {
		unknown("function %s:%s: want a number", f.name, f.arg)
	}
	return n
}

// predicate returns a function of key and value.
func (n *Node) predicate(field string) func(k, v *string) bool {
	f := n.function(field)
	switch f.name {
	case "true":
		return func(_, _ *string) bool { return true }
	case "false":
		return func(_, _ *string) bool { return false }
	case "contains":
		return func(_, v *string) bool { return v != nil && strings.Contains(*v, f.arg) }
	case "valueNotNull":
		return func(_, v *string) bool { return v != nil }
	case "keyNotNull":
		return func(k, _ *string) bool { return k != nil }
	case "keyIs":
		return func(k, _ *string) bool { return k != nil && *k == f.arg }
	case "lenGe":
		least := int(f.argument())
		return func(_, v *string) bool { return v != nil && length(*v) >= least }
	case "numGe":
		least := f.argument()
		return func(_, v *string) bool { return v != nil && number(*v) >= least }
	}
	unknown("predicate %q", f.name)
	return nil
}

// valueOf returns a function from key and value to a value.
func (n *Node) valueOf(field string) func(k, v *string) *string {
	f := n.function(field)
	onValue := func(g func(v string) *string) func(k, v *string) *string {
		return func(_, v *string) *string {
			if v == nil {
				return nil
			}
			return g(*v)
		}
	}
	switch f.name {
	case "identity":
		return func(_, v *string) *string { return v }
	case "upper":
		return onValue(func(v string) *string { return new(strings.ToUpper(v)) })
	case "append":
		return onValue(func(v string) *string { return new(v + f.arg) })
	case "len":
		return onValue(func(v string) *string { return decimal(length(v)) })
	case "nullIf":
		return onValue(func(v string) *string {
			if v == f.arg {
				return nil
			}
			return &v
		})
	case "nullIfContains":
		return onValue(func(v string) *string {
			if strings.Contains(v, f.arg) {
				return nil
			}
			return &v
		})
	case "orElse":
		return func(_, v *string) *string {
			if v == nil {
				return &f.arg
			}
			return v
		}
	case "withKey":
		return func(k, v *string) *string { return new(shown(k) + "=" + shown(v)) }
	case "const":
		return func(_, _ *string) *string { return &f.arg }
	case "fail":
		return func(_, v *string) *string {
			if v != nil && *v == f.arg {
				panic("the function fails")
			}
			return v
		}
	}
	unknown("value function %q", f.name)
	return nil
}

// selector returns a function from key and value to a key, a topic, or a key of another table.
func (n *Node) selector(field string) func(k, v *string) *string {
	f := n.function(field)
	initial := func(s *string) *string {
		if blank(s) {
			return nil
		}
		return new(first(*s, 1))
	}
	switch f.name {
	case "key":
		return func(k, _ *string) *string { return k }
	case "value":
		return func(_, v *string) *string { return v }
	case "firstChar":
		return func(_, v *string) *string { return initial(v) }
	case "keyFirstChar":
		return func(k, _ *string) *string { return initial(k) }
	case "prefix":
		n := int(f.argument())
		return func(_, v *string) *string {
			if v == nil {
				return nil
			}
			return new(first(*v, n))
		}
	case "beforeColon":
		return func(_, v *string) *string {
			if v == nil {
				return nil
			}
			s, _, ok := strings.Cut(*v, ":")
			if !ok {
				return nil
			}
			return &s
		}
	case "beforeAt":
		return func(k, _ *string) *string {
			if k == nil {
				return nil
			}
			s, _, _ := strings.Cut(*k, "@")
			return &s
		}
	case "constNull":
		return func(_, _ *string) *string { return nil }
	case "const":
		return func(_, _ *string) *string { return &f.arg }
	case "keyValue":
		return func(k, v *string) *string { return new(shown(k) + "-" + shown(v)) }
	}
	unknown("selector %q", f.name)
	return nil
}

// pieces cuts a text at single separators; empty pieces are left out.
func pieces(s *string, separator string) (of []string) {
	if s == nil {
		return nil
	}
	for p := range strings.SplitSeq(*s, separator) {
		if p != "" {
			of = append(of, p)
		}
	}
	return of
}

// lister returns a function from a value to values.
func (n *Node) lister(field string) func(v *string) []*string {
	f := n.function(field)
	switch f.name {
	case "split":
		separator := f.arg
		if separator == "" || separator == "space" {
			separator = " "
		}
		return func(v *string) (out []*string) {
			for _, p := range pieces(v, separator) {
				out = append(out, &p)
			}
			return out
		}
	case "dup":
		times := int(f.argument())
		return func(v *string) (out []*string) {
			for i := range times {
				if v == nil {
					out = append(out, nil)
				} else {
					out = append(out, new(*v+"#"+strconv.Itoa(i)))
				}
			}
			return out
		}
	}
	unknown("list function %q", f.name)
	return nil
}

// pairer returns a function from key and value to pairs, given to emit.
func (n *Node) pairer(field string) func(k, v *string, emit func(k, v *string)) {
	f := n.function(field)
	switch f.name {
	case "pairs":
		return func(_, v *string, emit func(k, v *string)) {
			for _, p := range pieces(v, " ") {
				if a, b, ok := strings.Cut(p, "="); ok {
					emit(&a, &b)
				} else {
					emit(&p, nil)
				}
			}
		}
	case "words":
		return func(k, v *string, emit func(k, v *string)) {
			for _, p := range pieces(v, " ") {
				emit(&p, k)
			}
		}
	}
	unknown("pair function %q", f.name)
	return nil
}
