"""Changes out: plan what must be told, keep it as effects, deliver each once.

Read ``exporter``, then ``deliverer``; ``stock`` and ``shipments`` say what there is to tell.
"""
