using System.Numerics.Tensors;
using LoraServe.Adapters.Gradients;
using LoraServe.Adapters.Methods.Training;

namespace LoraServe.Adapters.Methods.PTuning;

/// <summary>An LSTM (Hochreiter and Schmidhuber 1997) over a few rows in one direction, forth and back, from a state of zeros.</summary>
/// <remarks>PyTorch's: gates in the order input, forget, cell, output; c' = f∘c + i∘g, h' = o∘tanh(c').</remarks>
/// <param name="inputWeight">[4 · hidden, inputs].</param>
/// <param name="stateWeight">[4 · hidden, hidden].</param>
/// <param name="inputBias">[4 · hidden].</param>
/// <param name="stateBias">[4 · hidden].</param>
/// <param name="isReversed">Whether it begins with the last row.</param>
internal sealed class RecurrentLayer(Parameter inputWeight, Parameter stateWeight, Parameter inputBias, Parameter stateBias, bool isReversed)
{
    private readonly DenseLayer _fromInput = new(inputWeight, inputBias);
    private readonly int _hidden = stateWeight.Shape[1];
    private float[] _gates = [];
    private float[] _cells = [];
    private float[] _states = [];

    /// <summary>Length of a state.</summary>
    public int Hidden => _hidden;

    private int RowCount => _states.Length / _hidden;

    /// <summary>Computes states and remembers what they were made from.</summary>
    /// <param name="x">[rows, inputs].</param>
    /// <returns>[rows, hidden].</returns>
    public float[] Forward(float[] x)
    {
        _gates = _fromInput.Forward(x);
        int rows = _gates.Length / (4 * _hidden);
        _cells = new float[rows * _hidden];
        _states = new float[rows * _hidden];
        for (int step = 0; step < rows; step++)
        {
            Span<float> gates = Gates(Row(step));
            ReadOnlySpan<float> before = step > 0 ? State(Row(step - 1)) : default;
            for (int gate = 0; gate < gates.Length; gate++)
            {
                float fromState = step > 0 ? TensorPrimitives.Dot(stateWeight.Values.AsSpan(gate * _hidden, _hidden), before) : 0;
                float sum = gates[gate] + stateBias.Values[gate] + fromState;
                gates[gate] = gate / _hidden == 2 ? MathF.Tanh(sum) : 1 / (1 + MathF.Exp(-sum));
            }

            for (int i = 0; i < _hidden; i++)
            {
                float kept = step > 0 ? gates[_hidden + i] * Cell(Row(step - 1))[i] : 0;
                float cell = kept + (gates[i] * gates[(2 * _hidden) + i]);
                Cell(Row(step))[i] = cell;
                State(Row(step))[i] = gates[(3 * _hidden) + i] * MathF.Tanh(cell);
            }
        }

        return _states;
    }

    /// <summary>Adds to the parameters' gradients.</summary>
    /// <param name="dStates">Derivative by the last result.</param>
    /// <returns>Derivative by what it was made from.</returns>
    public float[] Backward(float[] dStates)
    {
        float[] dGates = new float[_gates.Length];
        float[] dState = new float[_hidden];
        float[] dCell = new float[_hidden];
        for (int step = RowCount - 1; step >= 0; step--)
        {
            int row = Row(step);
            TensorPrimitives.Add(dState, dStates.AsSpan(row * _hidden, _hidden), dState);
            ReadOnlySpan<float> cellBefore = step > 0 ? Cell(Row(step - 1)) : new float[_hidden];
            Span<float> d = dGates.AsSpan(row * 4 * _hidden, 4 * _hidden);
            BackThroughCell(Gates(row), Cell(row), cellBefore, dState, dCell, d);
            TensorPrimitives.Add(stateBias.Gradient, d, stateBias.Gradient);
            Array.Clear(dState);
            for (int gate = 0; gate < d.Length && step > 0; gate++)
            {
                Span<float> dWeight = stateWeight.Gradient.AsSpan(gate * _hidden, _hidden);
                TensorPrimitives.MultiplyAdd(State(Row(step - 1)), d[gate], dWeight, dWeight);
                TensorPrimitives.MultiplyAdd(stateWeight.Values.AsSpan(gate * _hidden, _hidden), d[gate], dState, dState);
            }
        }

        return _fromInput.Backward(dGates);
    }

    /// <summary>From the derivative by a state to those by the gates' sums; leaves in dCell that by the cell before.</summary>
    private void BackThroughCell(ReadOnlySpan<float> gates, ReadOnlySpan<float> cell, ReadOnlySpan<float> cellBefore, float[] dState, float[] dCell, Span<float> d)
    {
        for (int i = 0; i < _hidden; i++)
        {
            (float input, float forget, float candidate, float output) =
                (gates[i], gates[_hidden + i], gates[(2 * _hidden) + i], gates[(3 * _hidden) + i]);
            float squashed = MathF.Tanh(cell[i]);
            float dc = dCell[i] + (dState[i] * output * (1 - (squashed * squashed)));
            d[i] = dc * candidate * input * (1 - input);
            d[_hidden + i] = dc * cellBefore[i] * forget * (1 - forget);
            d[(2 * _hidden) + i] = dc * input * (1 - (candidate * candidate));
            d[(3 * _hidden) + i] = dState[i] * squashed * output * (1 - output);
            dCell[i] = dc * forget;
        }
    }

    private int Row(int step) => isReversed ? (_gates.Length / (4 * _hidden)) - 1 - step : step;

    private Span<float> Gates(int row) => _gates.AsSpan(row * 4 * _hidden, 4 * _hidden);

    private Span<float> Cell(int row) => _cells.AsSpan(row * _hidden, _hidden);

    private Span<float> State(int row) => _states.AsSpan(row * _hidden, _hidden);
}
