import mimgraph as mg
from transformers import BertConfig, BertModel

small = {"vocab": 1000, "width": 64, "heads": 4, "depth": 2, "longest": 128}
graph = mg.load("specs/bert_base.yaml", params=small)
model = graph.compile()
sizes = {"vocab_size": 1000, "hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4}
bert = BertModel(BertConfig(**sizes, intermediate_size=256, max_position_embeddings=128))
# the real one: no params above, and BertModel.from_pretrained("bert-base-uncased")
names = {"tokens": "input_ids", "segments": "token_type_ids", "padding": "attention_mask"}
transfer = graph.load_state(model, bert, inputs=names)  # our inputs: its arguments
transfer.mapping["states.0.attention.in_proj_weight"]  # three keys of bert
transfer.equal  # ("states", "pooled"): outputs that are proven to be outputs of bert
