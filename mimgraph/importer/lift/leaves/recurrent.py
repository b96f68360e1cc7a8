"""Lift LSTM, GRU and RNN: their ports, initial states and packed sequences."""
