package chart

import (
	"fmt"
	"io"

	"gonum.org/v1/plot/vg/vgimg"
)

// pngDPI gives two pixels per point.
const pngDPI = 2 * 72

// PNG writes the drawing on light paper, at two pixels per point.
func (c *Chart) PNG(w io.Writer) error {
	canvas := vgimg.NewWith(vgimg.UseWH(Width, c.height()), vgimg.UseDPI(pngDPI))
	c.draw(canvas)
	if _, err := (vgimg.PngCanvas{Canvas: canvas}).WriteTo(w); err != nil {
		return fmt.Errorf("write chart %s: %w", c.ID, err)
	}
	return nil
}
