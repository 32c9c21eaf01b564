"""Which of the tracker's 478 landmarks is what: the numbering of mediapipe's face mesh. Right and left are the person's."""

from __future__ import annotations

RIGHT_IRIS, LEFT_IRIS = slice(468, 473), slice(473, 478)
OUTER_LIPS = (61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 409, 270, 269, 267, 0, 37, 39, 40, 185)
INNER_LIPS = (78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308, 95, 88, 178, 87, 14, 317, 402, 318, 324)
RIGHT_EYE = (33, 7, 163, 144, 145, 153, 154, 155, 133, 173, 157, 158, 159, 160, 161, 246)
LEFT_EYE = (263, 249, 390, 373, 374, 380, 381, 382, 362, 398, 384, 385, 386, 387, 388, 466)
LID_EDGES = (161, 160, 159, 158, 157, 163, 144, 145, 153, 154, 384, 385, 386, 387, 388, 381, 380, 374, 373, 390)

# Upper and lower edge of a slit, its corners first and last, from the person's right to their left.
RIGHT_LID_RIMS = ((33, 246, 161, 160, 159, 158, 157, 173, 133), (33, 7, 163, 144, 145, 153, 154, 155, 133))
LEFT_LID_RIMS = ((362, 398, 384, 385, 386, 387, 388, 466, 263), (362, 382, 381, 380, 374, 373, 390, 249, 263))
INNER_LIP_RIMS = ((78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308), (78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308))

# Of the left and of the right eye:
LID_MIDDLES = (((385, 386, 387), (380, 374, 373)), ((160, 159, 158), (144, 145, 153)))  # upper and lower edge
UPPER_LIDS = ((384, 385, 386, 387, 388), (157, 158, 159, 160, 161))  # all of the upper lid but its corners
UPPER_LID_MIDDLE, BROW_LOWER_EDGE = (386, 159), (282, 52)
EYE_CORNERS = ((362, 263), (133, 33))  # inner, outer

# Outlines of hair that may grow on a face: from ear to ear along the jaw and back over the cheeks and below the nose; below the
# nose; around the chin.
BEARD = (
    58, 172, 136, 150, 149, 176, 148, 152, 377, 400, 378, 379, 365, 397, 288, 435, 427, 391, 326, 2, 97, 165, 207, 215,
)  # fmt: skip
MOUSTACHE = (61, 165, 97, 2, 326, 391, 291, 267, 0, 37)
GOATEE = (61, 202, 149, 176, 148, 152, 377, 400, 378, 422, 291, 314, 17, 84)

# Outer and inner corner of the right eye, inner and outer corner of the left one, base of the nose.
ALIGNMENT_POINTS = (33, 133, 362, 263, 2)

# What expressions hardly move: corners of the eyes, nose, cheeks, temples, forehead.
STEADY_POINTS = (
    33, 133, 362, 263, 168, 6, 197, 195, 5, 4, 98, 327, 2, 234, 454, 127, 356, 10, 109, 338, 93, 323, 132, 361,
)  # fmt: skip

# At the 68 keypoints of iBUG, in their order: jaw, brows, nose, eyes, outer lips, inner lips.
IBUG_KEYPOINTS = (
    127, 234, 93, 58, 172, 136, 149, 148, 152, 377, 378, 365, 397, 288, 323, 454, 356,
    70, 63, 105, 66, 107, 336, 296, 334, 293, 300, 168, 197, 195, 4, 98, 97, 2, 326, 327,
    33, 160, 158, 133, 153, 144, 362, 385, 387, 263, 373, 380,
    61, 39, 37, 0, 267, 269, 291, 405, 314, 17, 84, 181, 78, 81, 13, 311, 308, 402, 14, 178,
)  # fmt: skip

# What the blend-shape network reads, as published with it (face_blendshapes_graph.cc): all of lids, lips, brows and irises,
# and the outline.
BLENDSHAPE_INPUTS = (
    0, 1, 4, 5, 6, 7, 8, 10, 13, 14, 17, 21, 33, 37, 39, 40, 46, 52, 53, 54, 55, 58, 61, 63, 65, 66, 67, 70, 78, 80, 81,
    82, 84, 87, 88, 91, 93, 95, 103, 105, 107, 109, 127, 132, 133, 136, 144, 145, 146, 148, 149, 150, 152, 153, 154, 155,
    157, 158, 159, 160, 161, 162, 163, 168, 172, 173, 176, 178, 181, 185, 191, 195, 197, 234, 246, 249, 251, 263, 267,
    269, 270, 276, 282, 283, 284, 285, 288, 291, 293, 295, 296, 297, 300, 308, 310, 311, 312, 314, 317, 318, 321, 323,
    324, 332, 334, 336, 338, 356, 361, 362, 365, 373, 374, 375, 377, 378, 379, 380, 381, 382, 384, 385, 386, 387, 388,
    389, 390, 397, 398, 400, 402, 405, 409, 415, 454, 466, 468, 469, 470, 471, 472, 473, 474, 475, 476, 477,
)  # fmt: skip
