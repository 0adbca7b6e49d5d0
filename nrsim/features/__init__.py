"""Features: V1 responses become one vector a stimulus."""

from nrsim.features.components import PrincipalComponents as PrincipalComponents
from nrsim.features.cues import join_features as join_features
from nrsim.features.displacement import PhaseDisplacement as PhaseDisplacement
from nrsim.features.face_grid import FaceGrid as FaceGrid
from nrsim.features.finding import find_landmarks as find_landmarks
from nrsim.features.fisher import FisherMetric as FisherMetric
from nrsim.features.landmarks import landmark_features as landmark_features
from nrsim.features.pooling import PooledEnergy as PooledEnergy
