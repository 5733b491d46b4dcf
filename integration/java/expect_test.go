package java

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// results is what the shop has to say, by output topic: the last value of every key, as text. Keys of windows have their times.
type results map[string]map[string]string

func newResults() results {
	r := results{}
	for _, topic := range []string{"items", "windows", "final", "closed", "sessions", "addressed", "paid", "offers", "categories"} {
		r[topic] = map[string]string{}
	}
	return r
}

// expect computes the results from the load, without windows, stores or order: by looking at all of it.
func (l *load) expect() results {
	want := newResults()
	count := func(topic, key string) {
		n, _ := strconv.Atoi(want[topic][key]) // none yet is 0
		want[topic][key] = strconv.Itoa(n + 1)
	}
	times := map[string][]int64{}
	payments := map[string][]payment{}
	for _, p := range l.payments {
		payments[p.customer] = append(payments[p.customer], p)
	}
	for _, o := range l.orders {
		count("items", o.item)
		start := o.at / 10_000 * 10_000
		count("windows", fmt.Sprintf("%s@%d", o.customer, start))
		count("final", fmt.Sprintf("%s@%d", o.customer, start))
		count("closed", fmt.Sprintf("%s@%d", o.customer, start))
		times[o.customer] = append(times[o.customer], o.at)
		want["addressed"][o.id] = o.customerRow
		paid := false
		for _, p := range payments[o.customer] {
			if p.at >= o.at-60_000 && p.at <= o.at+60_000 {
				want["paid"][o.id+"|"+p.id] = ""
				paid = true
			}
		}
		if !paid {
			want["paid"][o.id+"|unpaid"] = ""
		}
	}
	for customer, list := range times {
		slices.Sort(list)
		for i := 0; i < len(list); {
			first := i
			for i++; i < len(list) && list[i]-list[i-1] <= 2000; i++ {
			}
			want["sessions"][fmt.Sprintf("%s@%d-%d", customer, list[first], list[i-1])] = strconv.Itoa(i - first)
		}
	}
	sums := map[string]int{}
	for id, product := range l.rows["products"] {
		if supplier, ok := l.rows["suppliers"][field(product, 0)]; ok {
			want["offers"][id] = product + "|" + supplier
		}
		price, _ := strconv.Atoi(field(product, 2)) // it was a number when it was written
		sums[field(product, 1)] += price
	}
	for i := range categories {
		category := fmt.Sprintf("g%d", i) // a sum of no products any more is 0
		want["categories"][category] = strconv.Itoa(sums[category])
	}
	return want
}

// early leaves out what comes only when windows are closed.
func (r results) early() results {
	early := maps.Clone(r)
	delete(early, "final")
	delete(early, "closed")
	early["paid"] = map[string]string{}
	for key, value := range r["paid"] {
		if !strings.HasSuffix(key, "unpaid") {
			early["paid"][key] = value
		}
	}
	return early
}

// differences lists where results differ from what is wanted, the first few of each topic.
func (r results) differences(want results) (list []string) {
	for topic := range want {
		n := 0
		differ := func(key, got, want string) {
			if n++; n <= 5 {
				list = append(list, fmt.Sprintf("%s: %s is %s; want %s", topic, key, got, want))
			}
		}
		for key, value := range want[topic] {
			if got, ok := r[topic][key]; !ok {
				differ(key, "missing", strconv.Quote(value))
			} else if got != value {
				differ(key, strconv.Quote(got), strconv.Quote(value))
			}
		}
		for key, value := range r[topic] {
			if _, ok := want[topic][key]; !ok {
				differ(key, strconv.Quote(value), "nothing")
			}
		}
		if n > 5 {
			list = append(list, fmt.Sprintf("%s: %d differences", topic, n))
		}
	}
	slices.Sort(list)
	return list
}
