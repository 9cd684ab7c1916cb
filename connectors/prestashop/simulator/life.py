class ShopLife:
    def __init__(self, shop, *, seed): ...
    def step(self):
        return ""
