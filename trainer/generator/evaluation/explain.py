"""What the tables of an evaluation mean, in sentences that stand below them."""

from __future__ import annotations

SAME = (
    "Same-identity reconstruction: a calm, typical frame of a run is the source, the others are what it should become. PSNR [dB] "
    "and the perceptual distance (EfficientNet-Lite0's features; it is not LPIPS) are to the driving frame, as far as it reaches "
    "in the square; Exp, Angle [rad] and Gaze by the landmark fit on both pictures; ID is the cosine with the source, "
    "ID driving with the driving frame; FD is not FID, and sets as small as these can only be compared with each other; r: "
    "correlation with the clip."
)
STILLS = (
    "Each portrait is what is wanted, and the source what geometry makes of it in another moment: the place of everything is "
    "known, and what is measured is what the source does not show. ID is the cosine with the portrait, FD to the portraits and "
    "their mirror images; the other measures are those of the clips."
)
CROSS = (
    "Cross-identity: each portrait moved by each clip, by the driver's departure from its calmest frame. Exp, Angle and Gaze "
    "compare the picture's change against the portrait with the driver's. FD is to the portraits and their mirror images. "
    "Jitter: second differences of the fitted z over the driver's own. Gaze lag: frames by which the picture's gaze comes later."
)
AGAINST = (
    "In the same pictures: PSNR and ID by difference (+), distances by ratio (×, below 1 is better); from and to: where 95 of "
    "100 values lie when as many people are drawn anew from these."
)
EDITING = "Editing: Exp, Angle and Gaze compare the change that is seen in the picture with the change that was asked for."
EDITS = (
    "Each edit: asked, and found in the pictures; means over the portraits. Expressions are the tracker's scores (a closed eye "
    "gives 0.5 to 0.8, not 1), turns [degrees] and looks the landmark fit's change against the portrait."
)
