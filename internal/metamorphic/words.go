package metamorphic

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// The functions of the language of cases that the generator uses, once more, for the oracle: "append:x" is append with the
// argument x. A word that is not here is a mistake of the generator.

func word(fn string) (name, arg string) {
	name, arg, _ = strings.Cut(fn, ":")
	return name, arg
}

func unknown(fn string) string {
	return fmt.Sprintf("metamorphic: the oracle does not know the function %q", fn)
}

func text(s string) *string { return &s }

func shown(s *string) string {
	if s == nil {
		return "∅"
	}
	return *s
}

// keeps is a predicate.
func keeps(fn string, e event) bool {
	switch name, arg := word(fn); name {
	case "contains":
		return e.value != nil && strings.Contains(*e.value, arg)
	case "lenGe":
		n, _ := strconv.Atoi(arg)
		return e.value != nil && utf8.RuneCountInString(*e.value) >= n
	case "keyIs":
		return e.key != nil && *e.key == arg
	}
	panic(unknown(fn))
}

// value is a value function.
func value(fn string, e event) *string {
	name, arg := word(fn)
	if name == "withKey" {
		return text(shown(e.key) + "=" + shown(e.value))
	}
	if e.value == nil {
		return nil
	}
	switch name {
	case "identity":
		return e.value
	case "upper":
		return text(strings.ToUpper(*e.value))
	case "append":
		return text(*e.value + arg)
	case "len":
		return text(strconv.Itoa(utf8.RuneCountInString(*e.value)))
	}
	panic(unknown(fn))
}

// selected is a selector of keys.
func selected(fn string, e event) *string {
	from, cut := e.value, 0
	switch name, arg := word(fn); name {
	case "value":
		return e.value
	case "firstChar":
		cut = 1
	case "keyFirstChar":
		from, cut = e.key, 1
	case "beforeColon":
		if e.value != nil {
			if s, _, ok := strings.Cut(*e.value, ":"); ok {
				return &s
			}
		}
		return nil
	case "beforeAt":
		if e.key == nil {
			return nil
		}
		s, _, _ := strings.Cut(*e.key, "@")
		return &s
	case "const":
		return &arg
	default:
		panic(unknown(fn))
	}
	if from == nil || *from == "" {
		return nil
	}
	return text(string([]rune(*from)[:cut]))
}

// folded is the fold of values, in order: a count, an aggregate that begins with the empty text, or a reduction that begins
// with the first value.
func folded(verb, fn string, values []*string) *string {
	if verb == "count" {
		return text(strconv.Itoa(len(values)))
	}
	acc := text("")
	if verb == "reduce" {
		acc, values = values[0], values[1:]
	}
	for _, v := range values {
		acc = text(folding(fn, *acc, *v))
	}
	return acc
}

func folding(fn, acc, v string) string {
	switch name, arg := word(fn); name {
	case "concat":
		if acc == "" {
			return v
		}
		return acc + arg + v
	case "min":
		if acc == "" || v < acc {
			return v
		}
		return acc
	case "max":
		if acc == "" || v > acc {
			return v
		}
		return acc
	case "last":
		return v
	case "sumLen":
		n, _ := strconv.Atoi(acc)
		return strconv.Itoa(n + utf8.RuneCountInString(v))
	}
	panic(unknown(fn))
}

// paired is the joiner "pair"; nil is a side that is not there.
func paired(l, r *string) *string { return text(shown(l) + "|" + shown(r)) }
