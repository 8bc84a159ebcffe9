core.register_action("choose", { "http-req" }, function(txn)
  txn:set_var("txn.backend", "shop")
end, 0)
