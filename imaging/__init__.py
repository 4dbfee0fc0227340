"""The PET/CT room: networks, training, uncertainty and compression of the segmentation model.

Needs the ``imaging`` extra; nothing outside this room imports TensorFlow.
"""
