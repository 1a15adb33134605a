package chart

import (
	"fmt"
	"image/png"
	"io"

	"gonum.org/v1/plot/vg/vgimg"
)

// pngDPI gives two pixels per point.
const pngDPI = 2 * 72

// encoder trades a twentieth of the size for half of the time, of which a report spends most on PNG.
var encoder = png.Encoder{CompressionLevel: png.BestSpeed}

// PNG writes the drawing on light paper, at two pixels per point.
func (c *Chart) PNG(w io.Writer) error {
	canvas := vgimg.NewWith(vgimg.UseWH(Width, c.height()), vgimg.UseDPI(pngDPI))
	c.draw(canvas)
	if err := encoder.Encode(w, canvas.Image()); err != nil {
		return fmt.Errorf("write chart %s: %w", c.ID, err)
	}
	return nil
}
