using LoraServe.Adapters.Files;
using LoraServe.Adapters.Methods.Reading;
using LoraServe.Adapters.Peft;

namespace LoraServe.Adapters.Methods.Description;

/// <summary>Makes edits of a configuration and the tensors that go with it.</summary>
/// <exception cref="AdapterFormatException">A field or a tensor is wrong, missing or not supported.</exception>
internal delegate AdapterContent MethodReader(ConfigFields fields, AdapterTensors tensors, IBaseModel model);
