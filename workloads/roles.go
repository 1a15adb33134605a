package workloads

// spread reports whether number i of total is one of n that are spread evenly over all numbers. Exactly n are, or all when
// there are no more.
func spread(i, n, total int) bool {
	return n >= total || (i+1)*n/total > i*n/total
}

// lives counts how often each connection was opened, so that the requests of its next life differ from those of the last:
// an answer that was meant for another life is then found out.
type lives []uint32

// next returns the number of the life that begins.
func (l *lives) next(conn int) uint32 {
	for len(*l) <= conn {
		*l = append(*l, 0)
	}
	life := (*l)[conn]
	(*l)[conn]++
	return life
}
