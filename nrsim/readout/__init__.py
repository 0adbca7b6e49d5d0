"""Read-out: which expression the face neurons say it is, how strong, and how sure; at once or over time."""

from nrsim.readout.moving import read_out_over_time as read_out_over_time
from nrsim.readout.scores import score_read_out as score_read_out
from nrsim.readout.still import read_out as read_out
