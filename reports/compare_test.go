package reports

import (
	"image"
	"math"
	"testing"
)

// differentShare compares two pictures by the mean brightness of cells of 8 by 8 pixels, so that edges and letters may be
// smoothed in different ways, and returns the share of the cells that differ.
func differentShare(t *testing.T, name string, a, b image.Image) float64 {
	t.Helper()
	const cell = 8
	if dx, dy := a.Bounds().Dx()-b.Bounds().Dx(), a.Bounds().Dy()-b.Bounds().Dy(); dx < -2 || dx > 2 || dy < -2 || dy > 2 {
		t.Fatalf("%s: one picture is %v, the other %v", name, a.Bounds(), b.Bounds())
	}
	cells, different := 0, 0
	for y := 0; y+cell <= min(a.Bounds().Dy(), b.Bounds().Dy()); y += cell {
		for x := 0; x+cell <= min(a.Bounds().Dx(), b.Bounds().Dx()); x += cell {
			cells++
			if math.Abs(brightness(a, x, y, cell)-brightness(b, x, y, cell)) > 0.12 {
				different++
			}
		}
	}
	return float64(different) / float64(cells)
}

func brightness(img image.Image, x, y, size int) (mean float64) {
	for dy := range size {
		for dx := range size {
			r, g, b, _ := img.At(img.Bounds().Min.X+x+dx, img.Bounds().Min.Y+y+dy).RGBA()
			mean += float64(r+g+b) / 3 / 0xffff
		}
	}
	return mean / float64(size*size)
}
